"""The list of users with what each backend says of them, and a user's code and link."""

from django.core.exceptions import ObjectDoesNotExist
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from apps.auth_token.auth import PluginAuthentication
from apps.base.messaging import get_messaging_backend_from_id, get_messaging_backends


class UserView(ViewSet):
    authentication_classes = (PluginAuthentication,)
    permission_classes = (IsAuthenticated,)

    def list(self, request):
        shown = [
            {
                "username": user.username,
                "messaging_backends": {key: each.serialize_user(user) for key, each in get_messaging_backends()},
            }
            for user in request.auth.organization.users.order_by("pk")
        ]
        return Response(shown)

    @action(detail=False, methods=["get"])
    def code(self, request):
        backend = get_messaging_backend_from_id(request.query_params["backend"])
        return Response(backend.generate_user_verification_code(request.user))

    @action(detail=False, methods=["post"])
    def unlink(self, request):
        try:
            get_messaging_backend_from_id(request.query_params["backend"]).unlink_user(request.user)
        except ObjectDoesNotExist:
            return Response(status=400)
        return Response()
