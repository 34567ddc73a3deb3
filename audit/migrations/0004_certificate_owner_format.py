"""Events say which certificate and owner they are about, and which fields their hash covers.

All three columns may be empty and have no default, so that both databases add them in place: the
rows stay what they were, down to their hashes, and no table is made anew without its triggers.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_append_only")]

    operations = [
        migrations.AddField(
            model_name="event",
            name="certificate",
            field=models.UUIDField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="event",
            name="owner",
            field=models.UUIDField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="event",
            name="format",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="Which fields the hash covers; empty: 1.",
                null=True,
            ),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["certificate", "-sequence"], name="audit_certificate"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["owner", "-sequence"], name="audit_owner"),
        ),
    ]
