"""Let the database itself refuse to change why a job was asked for."""

from django.db import migrations

POSTGRESQL = """
CREATE FUNCTION job_justification_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the justification of a job is never changed';
END $$;
CREATE TRIGGER job_justification_stays BEFORE UPDATE OF justification ON jobs_job
    FOR EACH ROW WHEN (OLD.justification IS DISTINCT FROM NEW.justification)
    EXECUTE FUNCTION job_justification_stays();
"""
POSTGRESQL_BACK = """
DROP TRIGGER job_justification_stays ON jobs_job;
DROP FUNCTION job_justification_stays();
"""
# A later migration that makes the table anew on SQLite must make this again: it goes with the old
# table. tests/jobs/test_justification.py finds out.
SQLITE = """
CREATE TRIGGER job_justification_stays BEFORE UPDATE OF justification ON jobs_job
WHEN OLD.justification IS NOT NEW.justification
BEGIN SELECT RAISE(ABORT, 'the justification of a job is never changed'); END
"""
SQLITE_BACK = "DROP TRIGGER IF EXISTS job_justification_stays"


def forwards(apps, schema_editor):
    is_postgresql = schema_editor.connection.vendor == "postgresql"
    schema_editor.execute(POSTGRESQL if is_postgresql else SQLITE)


def backwards(apps, schema_editor):
    is_postgresql = schema_editor.connection.vendor == "postgresql"
    schema_editor.execute(POSTGRESQL_BACK if is_postgresql else SQLITE_BACK)


class Migration(migrations.Migration):
    dependencies = [("jobs", "0014_justification")]

    operations = [migrations.RunPython(forwards, backwards)]
