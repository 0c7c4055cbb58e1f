from apps.api.views.features import FeaturesAPIView
from apps.api.views.organization import GetChannelVerificationCode
from apps.api.views.user import UserView
from django.urls import path

urlpatterns = [
    path("api/internal/v1/features/", FeaturesAPIView.as_view()),
    path("api/internal/v1/users/", UserView.as_view({"get": "list"})),
    path("api/internal/v1/users/me/get_backend_verification_code/", UserView.as_view({"get": "code"})),
    path("api/internal/v1/users/me/unlink_backend/", UserView.as_view({"post": "unlink"})),
    path("api/internal/v1/current_team/get_channel_verification_code/", GetChannelVerificationCode.as_view()),
]
