"""Say where the connectors' sources are in the small city, as the operator's file would."""

from citizen_account.demo.city import Part, SmallCity


def connectors_toml(city: SmallCity) -> str:
    """Return the text of CONNECTORS_FILE."""
    here = city.address_of(Part.EMULATORS)
    return f"# {here}\n"
