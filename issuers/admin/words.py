"""What the codes of a profile mean, for whoever ticks them; tests hold each list to the rules."""

from collections.abc import Mapping

ALGORITHMS: Mapping[str, str] = {
    "ecdsa-p256": "small and fast, for nearly everything",
    "ecdsa-p384": "where a policy asks for more",
    "rsa-2048": "2048 bits or more: for old clients and gear",
    "rsa-3072": "3072 bits or more",
    "rsa-4096": "4096 bits or more: slow",
    "ed25519": "modern; few TLS clients know it in certificates",
}
# RFC 5280 §4.2.1.3, without what only CAs do.
USAGES: Mapping[str, str] = {
    "digitalSignature": "signs: what TLS 1.3 and most clients and servers need",
    "contentCommitment": "signs what cannot be denied later (non-repudiation)",
    "keyEncipherment": "has keys encrypted to it: RSA in old TLS, SCEP, S/MIME",
    "dataEncipherment": "has data encrypted to it; seldom right",
    "keyAgreement": "agrees on keys: static (EC)DH, S/MIME",
    "encipherOnly": "with keyAgreement: for encrypting only",
    "decipherOnly": "with keyAgreement: for decrypting only",
}
# RFC 5280 §4.2.1.12, without what responders have.
PURPOSES: Mapping[str, str] = {
    "serverAuth": "TLS server",
    "clientAuth": "TLS client",
    "codeSigning": "signs programs",
    "emailProtection": "S/MIME",
    "timeStamping": "signs time stamps; alone, as RFC 3161 asks",
}
ATTRIBUTES: Mapping[str, str] = {
    "CN": "common name",
    "O": "organization",
    "OU": "organizational unit",
    "C": "country, two letters",
    "ST": "state or province",
    "L": "locality",
    "STREET": "street and number",
    "serialNumber": "of the device or person, not of the certificate",
    "DC": "domain component",
    "UID": "user id",
}
WORK: Mapping[str, str] = {
    "Issuance": "the first certificate of a name",
    "Renewal": "each next version",
    "Deployment": "putting a version in place at a target",
    "Validation": "looking at what an endpoint serves",
}
