"""CRL numbers of up to 20 octets: from BIGINT to hexadecimal text."""

from typing import Any

from django.db import migrations

from foundation.numbers import LongNumberField, padded


def forwards(apps: Any, schema_editor: Any) -> None:
    """Write each number as the column has it from now on."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT crl_number FROM issuers_issuer")
        for (text,) in cursor.fetchall():
            cursor.execute(
                "UPDATE issuers_issuer SET crl_number = %s WHERE crl_number = %s",
                [padded(int(text)), text],
            )


class Migration(migrations.Migration):
    dependencies = [("issuers", "0001_initial")]

    operations = [
        migrations.RemoveConstraint("issuer", "issuers_crl_number_positive"),
        migrations.AlterField(
            "issuer",
            "crl_number",
            LongNumberField(
                default=0,
                editable=False,
                help_text="The last CRL number given out; it only ever rises.",
            ),
        ),
        migrations.RunPython(forwards),
    ]
