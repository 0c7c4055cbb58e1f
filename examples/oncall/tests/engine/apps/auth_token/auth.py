"""Who asks: here, whoever the header names."""

from types import SimpleNamespace

from rest_framework.authentication import BaseAuthentication

from apps.user_management.models import User


class PluginAuthentication(BaseAuthentication):
    def authenticate(self, request):
        user = User.objects.select_related("organization").filter(username=request.headers.get("X-User", "")).first()
        return user and (user, SimpleNamespace(organization=user.organization))

    def authenticate_header(self, request):
        return "X-User"
