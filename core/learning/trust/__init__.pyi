from .card import OVERLAY_ALARM as OVERLAY_ALARM
from .card import TrustCard as TrustCard
from .faithfulness import compare_methods as compare_methods
from .faithfulness import evidence_share as evidence_share
from .faithfulness import trust_card as trust_card
