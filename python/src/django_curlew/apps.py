"""The Django app: system checks, `manage.py curlew`, and a curlewd for development."""

from __future__ import annotations

import sys

from django.apps import AppConfig
from django.conf import settings
from django.core.signals import setting_changed

from . import conf, django_request


def _setting_changed(*, setting: str, **_: object) -> None:
    if setting == "CURLEW":
        conf.reload()


class CurlewConfig(AppConfig):
    """For INSTALLED_APPS: "django_curlew"."""

    name = "django_curlew"
    label = "curlew"
    verbose_name = "Curlew"

    def ready(self) -> None:
        from . import checks  # noqa: F401  (registers them)

        setting_changed.connect(_setting_changed, dispatch_uid="django_curlew.conf")
        django_request.on_django_ready()
        if settings.DEBUG:
            from . import embedded

            embedded.start_if_needed(sys.argv)
