"""The stand-in of the engine's project: its Celery application and its URLs."""

from .celery import app as celery_app

__all__ = ["celery_app"]
