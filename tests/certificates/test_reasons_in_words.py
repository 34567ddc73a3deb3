"""The list of revocations says why in words, whoever reads it. Victor only reads."""


def test_the_list_of_revocations_says_why_in_words(browse, victor, revoked):
    revoked(reason="cessationOfOperation")

    shown = browse(victor).get("/admin/certificates/revocation/").content.decode()

    assert "Cessation of operation<" in shown
