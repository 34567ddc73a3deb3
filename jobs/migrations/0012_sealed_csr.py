from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0011_job_device"),
    ]

    operations = [
        migrations.AddField(
            model_name="job",
            name="sealed_csr",
            field=models.BinaryField(
                editable=False,
                help_text="In its place, a CSR that holds a challenge: until it is signed or refused.",
                null=True,
            ),
        ),
    ]
