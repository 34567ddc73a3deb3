import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("certificates", "0020_fill_entries")]

    operations = [
        migrations.RemoveField(model_name="crl", name="der"),
        migrations.AlterField(
            model_name="crl",
            name="body",
            field=models.ForeignKey(
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="certificates.body",
            ),
        ),
        migrations.AlterField(
            model_name="crl",
            name="size",
            field=models.PositiveIntegerField(help_text="Of the DER, in octets."),
        ),
    ]
