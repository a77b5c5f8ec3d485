"""The editor itself: only the worker that runs it imports this, when a job first needs it."""

from PIL import ImageOps

from posterise import Options
from workers.models.errors import InputFault
from workers.models.protocols import EditedImage, Editor, EditRequest


class Posterise(Editor):
    """Loaded once and kept on its device, so what is costly belongs into `__init__`."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def edit(self, request: EditRequest) -> EditedImage:
        """Return the image with fewer colours; a real one follows `request.instruction` and draws by `request.seed`."""
        source = request.only_source()
        if min(source.size) < 8:
            raise InputFault(f"the source has {source.width} x {source.height} pixels; expected 8 x 8 at least")
        request.on_step(1, 1)
        return EditedImage(ImageOps.posterize(source, self.options.bits), {"bits": self.options.bits})
