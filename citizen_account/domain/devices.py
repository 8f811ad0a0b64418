"""Name a browser from what it says of itself: enough to know one's own devices apart."""

# The first mark that fits wins: every browser also claims to be its ancestors.
_BROWSERS = (
    ("edg", "Edge"),
    ("opr/", "Opera"),
    ("opera", "Opera"),
    ("samsungbrowser", "Samsung Internet"),
    ("vivaldi", "Vivaldi"),
    ("firefox", "Firefox"),
    ("fxios", "Firefox"),
    ("crios", "Chrome"),
    ("headlesschrome", "Chrome"),
    ("chromium", "Chromium"),
    ("chrome", "Chrome"),
    ("safari", "Safari"),
)
_SYSTEMS = (
    ("windows", "Windows"),
    ("android", "Android"),
    ("iphone", "iPhone"),
    ("ipad", "iPad"),
    ("cros", "ChromeOS"),
    ("mac os x", "macOS"),
    ("macintosh", "macOS"),
    ("linux", "Linux"),
)
_READ = 512


def summarise_device(user_agent: str) -> str:
    """Return for instance "Firefox, Windows"; empty when nothing is recognised."""
    marks = user_agent[:_READ].lower()
    known = (_first(_BROWSERS, marks), _first(_SYSTEMS, marks))
    return ", ".join(name for name in known if name)


def _first(names: tuple[tuple[str, str], ...], marks: str) -> str:
    return next((name for mark, name in names if mark in marks), "")
