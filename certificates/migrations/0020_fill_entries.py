"""Give the entries to revocations from before, and cut the CRLs from before into pieces.

In batches, each committed by itself: what was interrupted goes on where it stopped.
"""

from django.db import migrations, transaction

from certificates.models.revocations import entry_of

BATCH = 1000
PIECE = 1 << 20
COLUMNS = ["issuer_id", "serial", "not_after", "shard", "entry"]


def fill_revocations(apps, schema_editor):
    revocations = apps.get_model("certificates", "Revocation").objects
    # By key, which costs no sorting; those that are filled already have a serial.
    last = None
    while True:
        rows = revocations.filter(serial="").select_related("version").order_by("pk")
        rows = rows.defer("version__pem", "version__chain_pem", "version__csr_pem")
        some = list((rows if last is None else rows.filter(pk__gt=last))[:BATCH])
        if not some:
            return
        last = some[-1].pk
        for row in some:
            version = row.version
            row.issuer_id = None if version.short_lived else version.issuer_id
            row.serial, row.not_after = version.serial, version.not_after
            row.entry = entry_of(row.serial, row.reason, row.revoked_at, row.invalid_since)
        with transaction.atomic():
            revocations.bulk_update(some, COLUMNS)


def fill_serials(apps, schema_editor):
    serials = apps.get_model("certificates", "SerialRevocation").objects
    last = 0
    while some := list(serials.filter(entry=b"", pk__gt=last).order_by("pk")[:BATCH]):
        last = some[-1].pk
        for row in some:
            row.entry = entry_of(row.serial, row.reason, row.revoked_at, row.invalid_since)
        with transaction.atomic():
            serials.bulk_update(some, ["entry"])


def cut_crls(apps, schema_editor):
    crls = apps.get_model("certificates", "CRL").objects
    bodies = apps.get_model("certificates", "Body").objects
    pieces = apps.get_model("certificates", "Piece").objects
    for pk in list(crls.filter(body__isnull=True).values_list("pk", flat=True)):
        der = bytes(crls.values_list("der", flat=True).get(pk=pk))
        with transaction.atomic():
            body = bodies.create()
            for position, begin in enumerate(range(0, len(der), PIECE)):
                pieces.create(body=body, position=position, data=der[begin : begin + PIECE])
            crls.filter(pk=pk).update(body=body, size=len(der))


def fill(apps, schema_editor):
    fill_revocations(apps, schema_editor)
    fill_serials(apps, schema_editor)
    cut_crls(apps, schema_editor)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("certificates", "0019_stored_entries")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
