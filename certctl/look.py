"""The admin's look: settings of its theme, which are not for an installation to set."""

from django.templatetags.static import static

UNFOLD = {
    "SITE_TITLE": "certctl",
    "SITE_HEADER": "certctl",
    "SITE_SUBHEADER": "Certificate control plane",
    "SITE_SYMBOL": "verified_user",
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "console.dashboard.context",
    # What the theme would write into each page: console.site.theme says it, a test compares them.
    "STYLES": [
        lambda request: static("certctl/theme.css"),
        lambda request: static("certctl/admin.css"),
        lambda request: static("certctl/dashboard.css"),
        lambda request: static("certctl/search.css"),
        lambda request: static("certctl/pages.css"),
        lambda request: static("certctl/first.css"),
        lambda request: static("certctl/standing.css"),
        lambda request: static("certctl/refused.css"),
    ],
    "SCRIPTS": [
        lambda request: static("certctl/htmx.js"),
        lambda request: static("certctl/search.js"),
        lambda request: static("certctl/pages.js"),
        lambda request: static("certctl/typed.js"),
    ],
    "BORDER_RADIUS": "6px",
    "COLORS": {
        "primary": {
            "50": "#eef7f6",
            "100": "#d3ebe8",
            "200": "#a9d7d2",
            "300": "#77bdb6",
            "400": "#469e97",
            "500": "#2b827c",
            "600": "#1f6965",
            "700": "#1b5552",
            "800": "#194543",
            "900": "#173a38",
            "950": "#082221",
        }
    },
    "SIDEBAR": {
        "show_search": False,  # it stands in the top bar (console.search)
        "show_all_applications": False,
        "navigation": "console.navigation.navigation",
    },
}
