"""A certificate says itself when its current version ends, so that lists sort by one table."""

from django.db import migrations, models

POSTGRESQL = """
CREATE FUNCTION certs_ends_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.ends_at := (SELECT not_after FROM certificates_version WHERE id = NEW.current_id);
    RETURN NEW;
END $$;
CREATE TRIGGER certs_ends_at BEFORE INSERT OR UPDATE OF current_id, ends_at
    ON certificates_certificate FOR EACH ROW EXECUTE FUNCTION certs_ends_at();
CREATE FUNCTION versions_ends_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE certificates_certificate SET ends_at = NEW.not_after WHERE current_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER versions_ends_at AFTER UPDATE OF not_after ON certificates_version
    FOR EACH ROW WHEN (OLD.not_after IS DISTINCT FROM NEW.not_after)
    EXECUTE FUNCTION versions_ends_at();
"""
POSTGRESQL_BACK = """
DROP TRIGGER versions_ends_at ON certificates_version;
DROP FUNCTION versions_ends_at();
DROP TRIGGER certs_ends_at ON certificates_certificate;
DROP FUNCTION certs_ends_at();
"""
_SET = (
    "UPDATE certificates_certificate SET ends_at ="
    " (SELECT not_after FROM certificates_version WHERE id = current_id)"
)
# A later migration that makes either table anew on SQLite must make these again
# (`keep_on_sqlite`): they go with the old table. tests/certificates/test_ends_at.py finds out.
SQLITE = {
    "certs_ends_at_insert": "AFTER INSERT ON certificates_certificate"
    f" WHEN NEW.current_id IS NOT NULL BEGIN {_SET} WHERE id = NEW.id; END",
    "certs_ends_at_update": "AFTER UPDATE OF current_id, ends_at ON certificates_certificate"
    f" BEGIN {_SET} WHERE id = NEW.id; END",
    "versions_ends_at": "AFTER UPDATE OF not_after ON certificates_version"
    f" WHEN OLD.not_after IS NOT NEW.not_after BEGIN {_SET} WHERE current_id = NEW.id; END",
}


def keep_on_sqlite(apps, schema_editor):
    """Make the triggers where they are not there."""
    if schema_editor.connection.vendor == "sqlite":
        for name, body in SQLITE.items():
            schema_editor.execute(f"CREATE TRIGGER IF NOT EXISTS {name} {body}")


def forwards(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL)
    keep_on_sqlite(apps, schema_editor)


def backwards(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL_BACK)
        return
    for name in SQLITE:
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")


class Migration(migrations.Migration):
    dependencies = [("certificates", "0024_search")]

    operations = [
        migrations.AddField(
            "certificate",
            "ends_at",
            models.DateTimeField(
                null=True,
                blank=True,
                editable=False,
                help_text="The end of the current version: triggers keep it.",
            ),
        ),
        migrations.RunPython(forwards, backwards),
    ]
