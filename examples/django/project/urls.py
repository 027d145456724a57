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
    path("links/<path:page>", views.link),
    path("files/<str:ticket>", views.file, name="file"),
]
