from rest_framework.response import Response
from rest_framework.views import APIView

from apps.auth_token.auth import PluginAuthentication


class FeaturesAPIView(APIView):
    authentication_classes = (PluginAuthentication,)

    def get(self, request):
        return Response(["live_settings"])
