"""The answers kept by Idempotency-Key come down from jobs, with their rows."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("owners", "0001_initial"),
        # The table is made there, and changed by nobody since.
        ("jobs", "0007_fill_who_brought_the_key"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="IdempotencyRecord",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True,
                                primary_key=True,
                                serialize=False,
                                verbose_name="ID",
                            ),
                        ),
                        ("key", models.CharField(max_length=128)),
                        ("request_digest", models.CharField(max_length=64)),
                        ("status_code", models.PositiveSmallIntegerField(null=True)),
                        ("body", models.JSONField(null=True)),
                        (
                            "created_at",
                            models.DateTimeField(
                                db_index=True, default=django.utils.timezone.now
                            ),
                        ),
                        (
                            "principal",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "db_table": "jobs_idempotencyrecord",
                        "default_permissions": (),
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("principal", "key"), name="jobs_idempotency_key_once"
                            )
                        ],
                    },
                ),
            ],
        ),
        migrations.AlterModelTable(name="idempotencyrecord", table=None),
        migrations.RemoveConstraint(
            model_name="idempotencyrecord", name="jobs_idempotency_key_once"
        ),
        migrations.AddConstraint(
            model_name="idempotencyrecord",
            constraint=models.UniqueConstraint(
                fields=("principal", "key"), name="owners_idempotency_key_once"
            ),
        ),
    ]
