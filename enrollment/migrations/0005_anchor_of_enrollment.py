from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("enrollment", "0004_who_brought_each_anchor"),
    ]

    operations = [
        migrations.AddField(
            model_name="enrollment",
            name="anchor",
            field=models.CharField(
                blank=True,
                editable=False,
                help_text="SHA-256 of the trust anchor that let the device in, where one did.",
                max_length=64,
            ),
        ),
        migrations.AddIndex(
            model_name="enrollment",
            index=models.Index(
                condition=models.Q(("anchor", ""), _negated=True),
                fields=["anchor", "-created_at"],
                name="enrollment_of_anchor",
            ),
        ),
    ]
