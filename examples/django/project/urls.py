from importlib.util import find_spec

from django.urls import path

from . import views

urlpatterns = [
    path("", views.index),
    path("sync/", views.sync_page),
    path("sync/<path:page>", views.sync_page),
    path("async/", views.async_page),
    path("async/<path:page>", views.async_page),
    path("one-by-one/", views.one_by_one),
    path("together/", views.together),
    path("try/", views.try_url),
    path("events/", views.events),
    path("links/<path:page>", views.link),
    path("files/<str:ticket>", views.file, name="file"),
]

if find_spec("curl_cffi"):  # for `make demo`
    from . import today

    urlpatterns += [
        path("today/new-session/", today.new_session),
        path("today/shared-session/", today.shared_session),
    ]
