"""Indexes for search on PostgreSQL: parts of what people look for deployments by (decision 0070)."""

from django.db import migrations

from foundation.trigrams import indexed


class Migration(migrations.Migration):
    atomic = False  # indexes are made while others write

    dependencies = [("deployments", "0003_unproven")]

    operations = [indexed("deployments_target", "name", "endpoint_host", "server_name")]
