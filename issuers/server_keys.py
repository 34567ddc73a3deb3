"""What subscribers' keys are sealed for that the server made (a demonstration setting).

The same for every row: such a key goes from the job that it was made for to the version.
"""

from foundation.sealed import Context

SERVER_KEY = Context("serverkey")
