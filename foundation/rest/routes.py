"""How REST's routes are mounted: the router, and the views that describe it."""

from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import DefaultRouter

__all__ = ["SpectacularAPIView", "SpectacularSwaggerSplitView", "make_router"]


def make_router() -> DefaultRouter:
    """Return a router whose root lists nothing: the schema does."""
    router = DefaultRouter()
    router.include_root_view = False
    return router
