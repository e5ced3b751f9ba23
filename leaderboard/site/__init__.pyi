from .pages import make_site as make_site
from .serving import SiteServer as SiteServer
