"""The organization, and the code for its channels."""

from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.auth_token.auth import PluginAuthentication
from apps.base.messaging import get_messaging_backend_from_id


class CurrentOrganizationView(APIView):
    authentication_classes = (PluginAuthentication,)
    permission_classes = (IsAuthenticated,)

    def get(self, request):
        return Response({"env_status": {"telegram_configured": False, "mattermost_configured": False}})

    put = get


class GetChannelVerificationCode(APIView):
    authentication_classes = (PluginAuthentication,)
    permission_classes = (IsAuthenticated,)

    def get(self, request):
        backend = get_messaging_backend_from_id(request.query_params["backend"])
        return Response(backend.generate_channel_verification_code(request.auth.organization))
