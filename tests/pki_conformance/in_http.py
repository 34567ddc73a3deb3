"""Breakages of what HTTP carries."""

from tests.pki_conformance.pieces import MALFORMED
from tests.pki_conformance.table import breaks

# --- What HTTP carries ---


def over_http(rule, kind, methods=("GET", "HEAD"), **headers):
    """Register a breakage that sets headers of 200s of one kind; None takes one away."""

    def change(responder):
        def hook(of, method, reply):
            is_signed = reply.status == 200 and len(reply.body) != 5
            is_plain = reply.headers.get("Cache-Control") != "no-store"
            if of == kind and method in methods and is_signed and is_plain:
                for name, value in headers.items():
                    reply.headers[name.replace("_", "-")] = value

        responder.hooks["http"] = hook

    change.__name__ = " ".join(f"{name} {value}" for name, value in headers.items())
    breaks(rule)(change)


over_http("ca.type", "ca", Content_Type="text/html")
over_http("ca.quiet", "ca", Set_Cookie="a=b")
over_http("ca.head", "ca", ("HEAD",), ETag='"other"')
over_http("crl.http.type", "crl", Content_Type="application/octet-stream")
over_http("crl.http.quiet", "crl", Set_Cookie="a=b")
over_http("crl.http.quiet", "crl", Vary="Cookie")
over_http("crl.http.quiet", "crl", Content_Encoding="gzip")
over_http("crl.http.etag", "crl", ETag='W/"weak"')
over_http("crl.http.last-modified", "crl", Last_Modified="Thu, 01 Jan 2099 00:00:00 GMT")
over_http("crl.http.last-modified", "crl", Last_Modified=None)
over_http("crl.http.expires", "crl", Expires="Thu, 01 Jan 2099 00:00:00 GMT")
over_http("crl.http.expires", "crl", Expires="Thu, 01 Jan 2026 00:00:00 +0000")
over_http("crl.http.cache", "crl", Cache_Control="max-age=9999999, public")
over_http("crl.http.cache", "crl", Cache_Control="no-store")
over_http("crl.http.cache", "crl", Pragma="no-cache")
over_http("crl.http.head", "crl", ("HEAD",), Content_Type="text/plain")
over_http("ocsp.http.type", "ocsp", ("GET", "HEAD", "POST"), Content_Type="text/html")
over_http("ocsp.http.quiet", "ocsp", ("POST",), Vary="Cookie")
over_http("ocsp.http.last-modified", "ocsp", Last_Modified="Thu, 01 Jan 2026 00:00:00 GMT")
over_http("ocsp.http.expires", "ocsp", Expires="Thu, 01 Jan 2026 00:00:00 GMT")
over_http("ocsp.http.date", "ocsp", Date=None)
over_http("ocsp.http.cache", "ocsp", Cache_Control="max-age=900, public")
over_http("ocsp.http.cache", "ocsp", Pragma="no-cache")
over_http("ocsp.http.head", "ocsp", ("HEAD",), ETag='"other"')


def on_http(rule, name):
    """Register a hook of replies as a breakage."""

    def register(hook):
        def change(responder):
            responder.hooks["http"] = hook

        change.__name__ = name
        breaks(rule)(change)
        return hook

    return register


@on_http("ca.status", "needs credentials")
def _(kind, method, reply):
    if kind == "ca" and method in {"GET", "HEAD"}:
        reply.status = 401


@on_http("crl.http.status", "needs credentials")
def _(kind, method, reply):
    if kind == "crl" and method in {"GET", "HEAD"}:
        reply.status = 401


@on_http("ca.methods", "takes a POST")
def _(kind, method, reply):
    if kind == "ca" and reply.status == 405:
        reply.status = 200


@on_http("crl.http.methods", "no Allow")
def _(kind, method, reply):
    if kind == "crl" and reply.status == 405:
        del reply.headers["Allow"]


@on_http("ocsp.http.methods", "takes a DELETE")
def _(kind, method, reply):
    if kind == "ocsp" and method == "DELETE":
        reply.status = 200


def over_unknown(rule, kind):
    def change(responder):
        right = responder._right

        def wrong(method, path, headers, body):
            if path.startswith(f"/pki/{kind}/no-"):
                path = f"/pki/{kind}/x"
            return right(method, path, headers, body)

        responder._right = wrong

    change.__name__ = "any issuer will do"
    breaks(rule)(change)


over_unknown("ca.unknown", "ca")
over_unknown("crl.http.unknown", "crl")
over_unknown("ocsp.http.unknown", "ocsp")


@breaks("http.legacy")
def a_crl_in_json(responder):
    right = responder._right

    def wrong(method, path, headers, body):
        kind, reply = right(method, path, headers, body)
        if path.startswith("/api/v1/crl"):
            reply.status = 200
        return kind, reply

    responder._right = wrong


def forgets(rule, kind, condition):
    def change(responder):
        right = responder._right

        def wrong(method, path, headers, body):
            del headers[condition]
            return right(method, path, headers, body)

        responder._right = lambda method, path, headers, body: (
            wrong if f"/{kind}/" in path else right
        )(method, path, headers, body)

    change.__name__ = f"forgets {condition}"
    breaks(rule)(change)


forgets("crl.http.if-none-match", "crl", "If-None-Match")
forgets("crl.http.if-modified-since", "crl", "If-Modified-Since")
forgets("ocsp.http.if-none-match", "ocsp", "If-None-Match")


@on_http("crl.http.length", "no length")
def _(kind, method, reply):
    if kind == "crl" and reply.status == 200:
        reply.headers["Content-Length"] = None


@on_http("ocsp.http.length", "no length")
def _(kind, method, reply):
    if kind == "ocsp" and method == "POST" and reply.status == 200 and len(reply.body) != 5:
        reply.headers["Content-Length"] = None


@on_http("ocsp.http.errors", "HTTP 400")
def _(kind, method, reply):
    if kind == "ocsp" and reply.body == MALFORMED:
        reply.headers["Content-Type"] = "text/plain"


@on_http("ocsp.http.refusals-cache", "may be kept")
def _(kind, method, reply):
    if kind == "ocsp" and len(reply.body) == 5:
        reply.headers["Cache-Control"] = "max-age=900"


@breaks("ocsp.http.etag")
def a_counter_as_etag(responder):
    right = responder._cacheable

    def wrong(kind, *rest):
        reply = right(kind, *rest)
        if "ocsp" in kind:
            reply.headers["ETag"] = '"17"'
        return reply

    responder._cacheable = wrong


@on_http("ocsp.nonce.cache", "may be kept")
def _(kind, method, reply):
    if reply.headers.get("Cache-Control") == "no-store" and method == "GET":
        reply.headers["Cache-Control"] = "max-age=900, public"
