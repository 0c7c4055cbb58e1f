"""The engine's URLs with the add-on's before them: `ROOT_URLCONF`."""

import importlib

from django.conf import settings
from django.urls import re_path

from oncall_chatport import registry
from oncall_chatport.views import events, link_page, screens

INTERNAL = "^api/internal/v1"

urlpatterns = [
    re_path(r"^chatport/events/?$", events.events, name="chatport-events"),
    re_path(r"^chatport/link/(?P<token>[^/]+)/?$", link_page.link_page, name="chatport-link"),
    re_path(rf"{INTERNAL}/features/?$", screens.FeaturesView.as_view()),
    re_path(rf"{INTERNAL}/(?:organization|current_team)/?$", screens.OrganizationView.as_view()),
]
for _entry in registry.entries():
    _channels = rf"{INTERNAL}/{_entry.slug}/channels"
    _list = screens.ChannelsView.as_view({"get": "list", "post": "create"}, entry=_entry)
    _one = screens.ChannelsView.as_view({"get": "retrieve", "delete": "destroy"}, entry=_entry)
    _default = screens.ChannelsView.as_view({"post": "set_default"}, entry=_entry)
    urlpatterns += [
        re_path(rf"{_channels}/?$", _list),
        re_path(rf"{_channels}/(?P<pk>[^/]+)/set_default/?$", _default),
        re_path(rf"{_channels}/(?P<pk>[^/]+)/?$", _one),
        re_path(rf"{INTERNAL}/login/{_entry.slug}-login/?$", screens.LoginView.as_view(entry=_entry)),
    ]
urlpatterns += importlib.import_module(settings.CHATPORT_ENGINE_URLCONF).urlpatterns
