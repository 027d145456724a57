"""The whole project's settings: no database, no sessions, no admin; just views that fetch."""

import os
import secrets
from pathlib import Path

# Where curlewd is: its socket, or a web server's mount, http://127.0.0.1:8080/_fetch.
CURLEW = {"URL": os.environ.get("CURLEW_URL", "fcgi+unix:/run/curlew/curlew.sock")}

# The site whose pages the views fetch.
ORIGIN = os.environ.get("ORIGIN", "https://example.org")

# It signs the links of views.link: set it, and they outlive a restart and hold for every worker.
SECRET_KEY = os.environ.get("SECRET_KEY") or secrets.token_urlsafe(50)
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]

ROOT_URLCONF = "project.urls"
INSTALLED_APPS = ["django_curlew"]
MIDDLEWARE = ["django_curlew.middleware.CurlewMiddleware", "project.views.FailedFetches"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "templates"],
    }
]
USE_I18N = False
USE_TZ = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
