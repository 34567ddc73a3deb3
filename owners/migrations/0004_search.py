"""Indexes for search on PostgreSQL: parts of what people look for owners by (decision 0070)."""

from django.db import migrations

from foundation.trigrams import indexed


class Migration(migrations.Migration):
    atomic = False  # indexes are made while others write

    dependencies = [("owners", "0003_principal_for_devices")]

    operations = [indexed("owners_owner", "name", "email")]
