"""For gunicorn, uWSGI, mod_wsgi: Django gives each async view an event loop of its own."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
application = get_wsgi_application()
