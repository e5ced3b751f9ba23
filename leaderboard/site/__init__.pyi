from .pages import make_site as make_site
from .serving import SiteServer as SiteServer
from .shown_clips import list_shown_clips as list_shown_clips
