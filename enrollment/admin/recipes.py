"""What to type at common clients, for one label of this installation."""

from dataclasses import dataclass

from enrollment.models import Label
from enrollment.states import Protocol


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one program enrolls: its name, and what to type or to configure."""

    client: str
    text: str
    note: str = ""


def address_of(label: Label, *, est: str, scep: str) -> str:
    """Return the address at which devices enroll; `est` and `scep` are where the doors stand."""
    if label.protocol == Protocol.EST:
        return f"{est}/.well-known/est/{label.path}"
    return f"{scep}/scep/{label.path}"


def recipes_of(label: Label, address: str) -> list[Recipe]:
    """Return the recipes for a label whose address is `address`."""
    makers = _EST if label.protocol == Protocol.EST else _SCEP
    slug = f"certctl-{label.path}"
    return [
        Recipe(client, text.replace("@URL@", address).replace("@SLUG@", slug).strip(), note)
        for client, text, note in makers
    ]


_NEW_KEY = """
openssl ecparam -name prime256v1 -genkey -noout -out device.key
openssl req -new -key device.key -subj "/CN=NAME" \\
  -addext "subjectAltName=DNS:NAME" -out device.csr
"""
_EST = (
    (
        "curl and openssl",
        f"""{_NEW_KEY}openssl req -in device.csr -outform DER | openssl base64 -out device.b64
# The first time; curl asks for the credential. On 202 wait, and send the same again.
curl --cacert roots.pem --user DEVICE -o answer.b64 \\
  -H "Content-Type: application/pkcs10" --data-binary @device.b64 \\
  @URL@/simpleenroll
openssl base64 -d -in answer.b64 | openssl pkcs7 -inform DER -print_certs -out device.pem
# To renew, with the certificate instead of the credential.
curl --cacert roots.pem --cert device.pem --key device.key -o answer.b64 \\
  -H "Content-Type: application/pkcs10" --data-binary @device.b64 \\
  @URL@/simplereenroll
""",
        "NAME is the name to be certified, DEVICE the device's name here; roots.pem holds our CA.",
    ),
    (
        "strongSwan (pki --est)",
        f"""{_NEW_KEY}pki --est --url @URL@ --in device.csr --cacert roots.pem \\
  --userpass DEVICE:CREDENTIAL --interval 60 --outform pem > device.pem
# To renew.
pki --est --url @URL@ --in device.csr --cacert roots.pem \\
  --cert device.pem --key device.key --outform pem > renewed.pem
""",
        "strongSwan 5.9.8 and later. It waits by itself until somebody has approved.",
    ),
)
_SCEP = (
    (
        "certmonger (getcert)",
        """
getcert add-scep-ca -c @SLUG@ -u @URL@
getcert request -c @SLUG@ -k /etc/pki/tls/private/device.key \\
  -f /etc/pki/tls/certs/device.pem -G rsa -g 2048 \\
  -N CN=NAME -D NAME -L CHALLENGE
getcert list
""",
        "It asks again by itself while approval is pending, and renews before the end.",
    ),
    (
        "strongSwan 6 (pki --scep)",
        """
pki --scepca --url @URL@ --caout ca.crt --raout ra.crt --outform pem
pki --gen --type rsa --size 2048 --outform pem > device.key
pki --scep --url @URL@ --in device.key --dn "CN=NAME" --san NAME \\
  --password CHALLENGE --cacert-enc ra.crt --cacert-sig ca.crt \\
  --outform pem > device.pem
""",
        "Compare the fingerprints that --scepca prints with those of the issuer.",
    ),
    (
        "Cisco IOS (trustpoint)",
        """
crypto key generate rsa modulus 2048 label @SLUG@
crypto pki trustpoint @SLUG@
 enrollment url @URL@
 subject-name CN=NAME
 fqdn NAME
 password CHALLENGE
 rsakeypair @SLUG@
 hash sha256
 revocation-check crl
 auto-enroll 80
exit
crypto pki authenticate @SLUG@
crypto pki enroll @SLUG@
""",
        "authenticate shows the CA's fingerprint: compare it before saying yes.",
    ),
)
