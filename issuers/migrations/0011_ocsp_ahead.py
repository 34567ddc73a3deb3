
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('issuers', '0010_justification_required'),
    ]

    operations = [
        migrations.AddField(
            model_name='issuer',
            name='ocsp_ahead',
            field=models.CharField(choices=[('off', 'none'), ('asked', 'what was asked for lately'), ('all', 'all that are valid')], default='asked', help_text='Before half their life is over; others are signed when they are asked for.', max_length=8, verbose_name='OCSP answers signed ahead'),
        ),
    ]
