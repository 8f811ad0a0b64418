"""Say where the connectors' sources are in the small city, as the operator's file would."""

from citizen_account.demo.city import Part, SmallCity
from citizen_account.demo.emulators.access import Access

TEMPLATE = """\
# The connectors of the small city. Each system has a desk beside it that checks letters.

[permits]
base_url = "{here}/zgw/"
auth = {{ kind = "jwt_client", client_id = "{keys.zgw_client_id}", secret = "{keys.zgw_secret}" }}
[permits.peers.desk]
base_url = "{here}/desk/"
auth = {{ kind = "jwt_client", client_id = "{keys.zgw_client_id}", secret = "{keys.zgw_secret}" }}

[housing]
base_url = "{here}/vera/"
auth = {{ kind = "api_key", secret = "{keys.vera_key}" }}
[housing.peers.desk]
base_url = "{here}/desk/"
auth = {{ kind = "api_key", secret = "{keys.vera_key}" }}

[mobility]
base_url = "{here}/parking/"
auth = {{ kind = "api_key", secret = "{keys.parking_key}" }}
[mobility.peers.desk]
base_url = "{here}/desk/"
auth = {{ kind = "api_key", secret = "{keys.parking_key}" }}
[mobility.peers.bikes]
base_url = "{here}/gbfs/"
"""


def connectors_toml(city: SmallCity) -> str:
    """Return the text of CONNECTORS_FILE."""
    return TEMPLATE.format(here=city.address_of(Part.EMULATORS), keys=Access())
