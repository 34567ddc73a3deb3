"""The parts of an issuer's CRL: which one a new certificate names, and under which address."""

import secrets
from collections.abc import Collection
from functools import lru_cache

from foundation.statements import Given, Rows
from issuers.models import Issuer, ShardAddress
from issuers.pointers import pointers_of


def keep_addresses(issuer: Issuer) -> None:
    """Keep the address of each part that new certificates may name, as it is now.

    Before the first certificate names it, so that the part says so from its first CRL on. An
    address that was kept once stays, also when the base URL changes or there are fewer parts.
    """
    if issuer.crl_shards == 1:
        return
    addresses = {pointers_of(issuer, shard).crl: shard for shard in range(issuer.crl_shards)}
    kept = ShardAddress.objects.filter(issuer=issuer, url__in=addresses)
    missing = addresses.keys() - set(kept.values_list("url", flat=True))
    ShardAddress.objects.bulk_create(
        [ShardAddress(issuer=issuer, shard=addresses[url], url=url) for url in sorted(missing)],
        ignore_conflicts=True,  # somebody else keeps them at this moment
    )


def draw(issuer: Issuer) -> int | None:
    """Return the part that a new certificate of `issuer` names; None where it has no parts.

    By lot: no part grows faster than another, and a part tells nothing of the certificate.
    """
    if issuer.crl_shards == 1:
        return None
    keep_addresses(issuer)
    return secrets.randbelow(issuer.crl_shards)


def shard_of(issuer: Issuer | None, urls: Collection[str]) -> int | None:
    """Return the part of `issuer`'s CRL that a certificate names, by the addresses in its CDP."""
    if issuer is None or not urls:
        return None
    given = {f"url{number}": url for number, url in enumerate(urls)}
    row = _of_urls(len(urls)).first(issuer=issuer.pk, **given)
    return row.shard if row else None


@lru_cache(maxsize=8)
def _of_urls(count: int) -> Rows[ShardAddress]:
    """Return the question for the part that goes by one of so many addresses."""
    column = ShardAddress._meta.get_field("url")  # noqa: SLF001 - Django's public name for it
    urls = [Given(f"url{number}", column) for number in range(count)]
    return Rows(
        lambda: ShardAddress.objects.filter(issuer=Given("issuer", Issuer), url__in=urls).order_by(
            "pk"
        )[:1]
    )
