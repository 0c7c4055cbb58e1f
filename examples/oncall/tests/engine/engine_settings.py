"""The engine's settings as far as the tests need them: what `settings.prod_without_db` is in OnCall."""

import os

import engine  # noqa: F401  the Celery application is there from the start

SECRET_KEY = "of the tests"
DEBUG = False
ALLOWED_HOSTS = ["*"]
USE_TZ = True
BASE_URL = os.environ.get("BASE_URL", "http://engine.example.com")
ROOT_URLCONF = "engine.urls"
STATIC_URL = "/static/"
INSTALLED_APPS = ["rest_framework", "apps.user_management", "apps.base", "apps.alerts"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "UNAUTHENTICATED_USER": None,
}
EXTRA_MESSAGING_BACKENDS: list[tuple[str, int]] = []

_database = os.environ.get("ENGINE_DATABASE", ":memory:")
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": _database,
        "OPTIONS": {"timeout": 30},
        "TEST": {"NAME": _database},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CELERY_BROKER_URL = "memory://"
CELERY_TASK_IGNORE_RESULT = True
CELERY_BEAT_SCHEDULE: dict[str, object] = {}
