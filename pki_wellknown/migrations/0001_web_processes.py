
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='WebProcess',
            fields=[
                ('name', models.CharField(max_length=120, primary_key=True, serialize=False)),
                ('seen_at', models.DateTimeField()),
                ('hits', models.BigIntegerField()),
                ('misses', models.BigIntegerField()),
                ('entries', models.BigIntegerField()),
                ('confirmation_seconds', models.FloatField(help_text='The greatest age that a confirmation reached since it was last written.')),
                ('latency_seconds', models.FloatField(help_text='Sum over all changes of which it learned.')),
                ('latency_counts', models.JSONField(help_text='Changes by bucket of latency, not cumulated.')),
            ],
            options={
                'default_permissions': (),
            },
        ),
    ]
