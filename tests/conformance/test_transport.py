"""What the suite finds of TLS is the proxy's: our own configuration of it."""

import re
from pathlib import Path

NGINX = Path(__file__).parents[2] / "docker/nginx"
# RFC 9325 section 4.2, in the names of OpenSSL.
SUITES = {
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
}


def values_of(directive: str, text: str) -> set[str]:
    found = re.findall(rf"^{directive} (.+);$", text, re.MULTILINE)
    assert len(found) == 1
    return set(re.split(r"[ :]", found[0]))


def test_fapi_5_2_2_tls_1_2_has_the_four_recommended_suites_only() -> None:
    text = (NGINX / "tls.conf").read_text()
    assert values_of("ssl_protocols", text) == {"TLSv1.2", "TLSv1.3"}
    assert values_of("ssl_ciphers", text) == SUITES


def test_certificates_reach_every_endpoint_that_takes_bound_tokens() -> None:
    text = (NGINX / "citizen-account.conf").read_text()
    (places,) = re.findall(r"location ~ \^/\(([a-z|]+)\)", text)
    assert {"token", "par", "introspect", "revoke", "userinfo", "api"} <= set(places.split("|"))
