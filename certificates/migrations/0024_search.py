"""Indexes for search: parts of names, beginnings of names, serials (certificates.search, 0070)."""

from django.db import migrations, models, transaction

from foundation.trigrams import add_extension, add_index, drop_index

# The expressions are those of certificates.search, letter by letter: another is not found.
POSTGRESQL = {
    "certs_parts": "certificates_certificate USING gin"
    " (LOWER(name || E'\\n' || common_name || E'\\n' || sans::text) gin_trgm_ops)"
    # A small pending list: whoever searches reads all of it.
    " WITH (gin_pending_list_limit = 256)",
    "versions_parts": "certificates_version USING gin"
    " (LOWER(subject || E'\\n' || sans::text) gin_trgm_ops) WITH (gin_pending_list_limit = 256)",
    "certs_called": 'certificates_certificate ((LOWER(name) COLLATE "C"))',
    "certs_bare_name": "certificates_certificatename"
    " ((substr(value, strpos(value, ':') + 1) COLLATE \"C\"))",
    "versions_serial": "certificates_version (serial)",
}
# SQLite's rows are numbered anew by VACUUM where the key is no integer, so they have their numbers
# beside them. The text is not kept twice: what goes is told to FTS5 as it was.
SQLITE = [
    "CREATE TABLE certificates_searchrow (id INTEGER PRIMARY KEY,"
    " certificate_id char(32) NOT NULL UNIQUE)",
    "CREATE VIRTUAL TABLE certificates_searchtext USING fts5"
    " (text, content='', tokenize='trigram')",
    "INSERT INTO certificates_searchrow (certificate_id)"
    " SELECT id FROM certificates_certificate ORDER BY created_at",
    "INSERT INTO certificates_searchtext (rowid, text)"
    " SELECT searchrow.id, name || char(10) || common_name || char(10) || sans"
    " FROM certificates_searchrow AS searchrow"
    " JOIN certificates_certificate AS certificate ON certificate.id = certificate_id",
    "CREATE INDEX certs_called ON certificates_certificate (LOWER(name))",
    "CREATE INDEX certs_bare_name ON certificates_certificatename"
    " (substr(value, instr(value, ':') + 1))",
    "CREATE INDEX versions_serial ON certificates_version (serial)",
]
_OLD = (
    "(SELECT id FROM certificates_searchrow WHERE certificate_id = OLD.id),"
    " OLD.name || char(10) || OLD.common_name || char(10) || OLD.sans"
)
_NEW = (
    "(SELECT id FROM certificates_searchrow WHERE certificate_id = NEW.id),"
    " NEW.name || char(10) || NEW.common_name || char(10) || NEW.sans"
)
_ADD = f"INSERT INTO certificates_searchtext (rowid, text) VALUES ({_NEW});"
_TAKE = (
    "INSERT INTO certificates_searchtext (certificates_searchtext, rowid, text)"
    f" VALUES ('delete', {_OLD});"
)
# A later migration that makes the table of certificates anew on SQLite must make these, and the
# index of LOWER(name), again (`keep_on_sqlite`): they go with the old table.
# tests/certificates/test_search.py finds out.
TRIGGERS = {
    "certs_search_insert": "AFTER INSERT ON certificates_certificate BEGIN"
    " INSERT INTO certificates_searchrow (certificate_id) VALUES (NEW.id);"
    f" {_ADD} END",
    "certs_search_update": "AFTER UPDATE OF name, common_name, sans ON certificates_certificate"
    " WHEN OLD.name IS NOT NEW.name OR OLD.common_name IS NOT NEW.common_name"
    f" OR OLD.sans IS NOT NEW.sans BEGIN {_TAKE} {_ADD} END",
    "certs_search_delete": "AFTER DELETE ON certificates_certificate BEGIN"
    f" {_TAKE} DELETE FROM certificates_searchrow WHERE certificate_id = OLD.id; END",
}


def keep_on_sqlite(apps, schema_editor):
    """Make the triggers, and the index that stands on the table, where they are not there."""
    if schema_editor.connection.vendor != "sqlite":
        return
    for name, body in TRIGGERS.items():
        schema_editor.execute(f"CREATE TRIGGER IF NOT EXISTS {name} {body}")
    schema_editor.execute(
        "CREATE INDEX IF NOT EXISTS certs_called ON certificates_certificate (LOWER(name))"
    )


def forwards(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        add_extension(schema_editor)
        for name, on in POSTGRESQL.items():
            add_index(schema_editor, name, on)
        return
    with transaction.atomic():
        for statement in SQLITE:
            schema_editor.execute(statement)
        keep_on_sqlite(apps, schema_editor)


def backwards(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name in POSTGRESQL:
            drop_index(schema_editor, name)
        return
    with transaction.atomic():
        for name in TRIGGERS:
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")
        for name in ("certs_called", "certs_bare_name", "versions_serial"):
            schema_editor.execute(f"DROP INDEX IF EXISTS {name}")
        schema_editor.execute("DROP TABLE certificates_searchtext")
        schema_editor.execute("DROP TABLE certificates_searchrow")


class Migration(migrations.Migration):
    atomic = False  # indexes are made while others write

    dependencies = [("certificates", "0023_revocations_recorded")]

    operations = [
        migrations.SeparateDatabaseAndState(
            [migrations.RunPython(forwards, backwards)],
            [
                migrations.AddIndex(
                    "version", models.Index(fields=["serial"], name="versions_serial")
                )
            ],
        )
    ]
