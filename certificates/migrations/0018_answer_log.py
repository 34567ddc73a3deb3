
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('certificates', '0017_alert_of_lint'),
        ('issuers', '0006_profile_is_ra'),
    ]

    operations = [
        migrations.CreateModel(
            name='AnswerChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('serial', models.CharField(help_text="Empty: all of the issuer's.", max_length=48)),
                ('transaction', models.BigIntegerField(help_text='Its number on PostgreSQL; 0 on SQLite.')),
                ('at', models.DateTimeField()),
                ('forms', models.CharField(blank=True, help_text='Hash algorithms of the answers that went; empty once the worker signed others.', max_length=80)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.AddField(
            model_name='ocspresponse',
            name='asked_at',
            field=models.DateTimeField(blank=True, help_text='When somebody was last seen to ask, within the hour.', null=True),
        ),
        migrations.AddField(
            model_name='ocspresponse',
            name='is_final',
            field=models.BooleanField(default=False, help_text='Revoked and not on hold: nothing that comes makes it wrong.'),
        ),
        migrations.AddField(
            model_name='ocspresponse',
            name='renew_at',
            field=models.DateTimeField(blank=True, help_text='When the worker signs it anew, before half its life is over; empty: when asked.', null=True),
        ),
        migrations.AddIndex(
            model_name='ocspresponse',
            index=models.Index(fields=['issuer', 'renew_at'], name='certs_ocsp_renew'),
        ),
        migrations.AddField(
            model_name='answerchange',
            name='issuer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='issuers.issuer'),
        ),
        migrations.AddIndex(
            model_name='answerchange',
            index=models.Index(fields=['transaction'], name='certs_change_transaction'),
        ),
        migrations.AddIndex(
            model_name='answerchange',
            index=models.Index(fields=['at'], name='certs_change_at'),
        ),
        migrations.AddIndex(
            model_name='answerchange',
            index=models.Index(condition=models.Q(('forms', ''), _negated=True), fields=['id'], name='certs_change_unsigned'),
        ),
    ]
