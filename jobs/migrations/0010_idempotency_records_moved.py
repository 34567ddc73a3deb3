"""The answers kept by Idempotency-Key are the floor of owners' now; their table went with them."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0009_fill_key_of_the_csr"),
        ("owners", "0002_idempotency_records"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.DeleteModel(name="IdempotencyRecord")],
        ),
    ]
