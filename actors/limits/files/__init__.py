"""Files: their bytes on the way, where they are kept, what is known of them."""

from actors.limits.files.blobs import *
from actors.limits.files.downloads import *
from actors.limits.files.files import *
from actors.limits.files.s3 import *
from actors.limits.files.scanner import *
from actors.limits.files.transfers import *
from actors.limits.files.uploads import *
