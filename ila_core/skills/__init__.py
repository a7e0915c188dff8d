"""Who supplies the skill labels of a record beside the pool: a server.

Labels are names such as ``python`` or ``word problems``. A record's S is the number of its
distinct labels and multiplies its loss in the information depth (METHOD 3).
"""
