"""CRL numbers of up to 20 octets: from BIGINT to hexadecimal text."""

from typing import Any

from django.db import migrations

from foundation.numbers import LongNumberField, padded

COLUMNS = (
    ("certificates_crl", "number"),
    ("certificates_revocation", "listed_in"),
    ("certificates_revocation", "final_crl"),
)


def forwards(apps: Any, schema_editor: Any) -> None:
    """Write each number as the columns have it from now on."""
    with schema_editor.connection.cursor() as cursor:
        for table, column in COLUMNS:
            cursor.execute(f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL")
            for (text,) in cursor.fetchall():
                cursor.execute(
                    f"UPDATE {table} SET {column} = %s WHERE {column} = %s",
                    [padded(int(text)), text],
                )


class Migration(migrations.Migration):
    dependencies = [("certificates", "0004_answers_are_dated_apart")]

    operations = [
        migrations.AlterField("crl", "number", LongNumberField()),
        migrations.AlterField(
            "revocation",
            "listed_in",
            LongNumberField(
                blank=True,
                help_text="Number of the first CRL that states this as it stands; empty: none does yet.",
                null=True,
            ),
        ),
        migrations.AlterField(
            "revocation",
            "final_crl",
            LongNumberField(
                blank=True, help_text="Number of the CRL that listed it after its expiry.", null=True
            ),
        ),
        migrations.RunPython(forwards),
    ]
