"""How the tests of pages about rows read them."""

import re
from html import unescape

from django.urls import reverse

from owners.models import Principal

MOST_QUERIES = 25  # of one page, however much there is
HIDING = "web\u202e<i>shop\u200b"  # an override, markup, and a space without width


def address(row):
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def read(client, row):
    """Return the page about `row`."""
    answer = client.get(address(row))
    assert answer.status_code == 200
    return answer.content.decode()


def words_of(html):
    """Return what one reads of some HTML."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def section(text, title):
    """Return the part of a page that stands below a heading."""
    start = re.search(rf'<h2 id="section-\d+">{re.escape(title)}</h2>', text)
    assert start, f"{title} is none of {titles(text)}"
    return text[start.end() : text.index("</section>", start.end())]


def titles(text):
    """Return the headings of a page's parts."""
    return re.findall(r"<h2 id=\"section-\d+\">(.*?)</h2>", text)


def without(monkeypatch, *missing):
    """Have nobody hold these permissions."""
    really = Principal.has_perm
    monkeypatch.setattr(
        Principal,
        "has_perm",
        lambda self, perm, obj=None: perm not in missing and really(self, perm, obj),
    )


def shows_what_hides(text):
    """Whether HIDING stands on a page as what it is."""
    return (
        "\u202e" not in text
        and "\u200b" not in text
        and "<i>shop" not in text
        and ">U+202E</span>&lt;i&gt;shop" in text
    )


def limited(queries, table, count):
    """Whether one of the captured queries reads no more than `count` rows of a table."""
    return any(
        f'FROM "{table}"' in query["sql"] and query["sql"].endswith(f"LIMIT {count}")
        for query in queries
    )
