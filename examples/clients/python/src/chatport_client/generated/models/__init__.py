"""Contains all the data models used in inputs/outputs"""

from .accepted import Accepted
from .account_changed_event import AccountChangedEvent
from .account_link import AccountLink
from .account_link_page import AccountLinkPage
from .account_linked_event import AccountLinkedEvent
from .account_unlinked_event import AccountUnlinkedEvent
from .action import Action
from .action_input import ActionInput
from .action_invoked import ActionInvoked
from .action_invoked_event import ActionInvokedEvent
from .allow_users import AllowUsers
from .attempt_view import AttemptView
from .backend_view import BackendView
from .catalogue import Catalogue
from .changed_channel import ChangedChannel
from .changed_installation import ChangedInstallation
from .channel import Channel
from .channel_changed_event import ChannelChangedEvent
from .channel_directory_entry import ChannelDirectoryEntry
from .channel_event import ChannelEvent
from .channel_linked_event import ChannelLinkedEvent
from .channel_page import ChannelPage
from .channel_removed_event import ChannelRemovedEvent
from .channel_status import ChannelStatus
from .channel_target import ChannelTarget
from .choice import Choice
from .code_view import CodeView
from .command_invoked import CommandInvoked
from .command_invoked_event import CommandInvokedEvent
from .command_place import CommandPlace
from .command_set import CommandSet
from .content import Content
from .content_input import ContentInput
from .conversation import Conversation
from .conversation_input import ConversationInput
from .conversation_kind import ConversationKind
from .copy_state import CopyState
from .copy_value_step import CopyValueStep
from .copy_view import CopyView
from .copy_with_attempts import CopyWithAttempts
from .dead_letter import DeadLetter
from .dead_letter_page import DeadLetterPage
from .declaration import Declaration
from .declared_command import DeclaredCommand
from .declared_command_input import DeclaredCommandInput
from .default_target import DefaultTarget
from .deleted import Deleted
from .directory_entry_page import DirectoryEntryPage
from .entry import Entry
from .entry_kind import EntryKind
from .entry_page import EntryPage
from .event_kind import EventKind
from .event_page import EventPage
from .event_reply import EventReply
from .fact import Fact
from .fact_input import FactInput
from .failure_view import FailureView
from .fallback import Fallback
from .fallback_input import FallbackInput
from .field import Field
from .field_kind_select import FieldKindSelect
from .fields_step import FieldsStep
from .image import Image
from .image_input import ImageInput
from .installation import Installation
from .installation_activated_event import InstallationActivatedEvent
from .installation_event import InstallationEvent
from .installation_health import InstallationHealth
from .installation_identity import InstallationIdentity
from .installation_news import InstallationNews
from .installation_page import InstallationPage
from .installation_removed_event import InstallationRemovedEvent
from .installation_state import InstallationState
from .installation_suspended_event import InstallationSuspendedEvent
from .key_view import KeyView
from .keys import Keys
from .last_failure import LastFailure
from .length_unit import LengthUnit
from .limits import Limits
from .link import Link
from .link_event import LinkEvent
from .linked_account import LinkedAccount
from .log_line import LogLine
from .made_key import MadeKey
from .message_delivered_event import MessageDeliveredEvent
from .message_event import MessageEvent
from .message_failed_event import MessageFailedEvent
from .message_view import MessageView
from .named_rate import NamedRate
from .new_channel import NewChannel
from .new_code import NewCode
from .new_installation import NewInstallation
from .new_key_request import NewKeyRequest
from .note import Note
from .note_code import NoteCode
from .on_missing_root import OnMissingRoot
from .on_removed import OnRemoved
from .on_unknown import OnUnknown
from .open_link_step import OpenLinkStep
from .organization_view import OrganizationView
from .parts import Parts
from .person_directory_entry import PersonDirectoryEntry
from .posting import Posting
from .prefer import Prefer
from .preview import Preview
from .preview_request import PreviewRequest
from .previews import Previews
from .probed import Probed
from .problem import Problem
from .problem_details import ProblemDetails
from .problem_type import ProblemType
from .purpose import Purpose
from .put_message import PutMessage
from .put_message_input import PutMessageInput
from .put_organization import PutOrganization
from .put_subscription import PutSubscription
from .rate_per import RatePer
from .replay import Replay
from .replay_request import ReplayRequest
from .reply_posted import ReplyPosted
from .reply_posted_event import ReplyPostedEvent
from .reply_to import ReplyTo
from .resolved import Resolved
from .run_command_step import RunCommandStep
from .scope import Scope
from .select_option import SelectOption
from .send_text_step import SendTextStep
from .state import State
from .step_value import StepValue
from .style import Style
from .submission import Submission
from .submission_fields import SubmissionFields
from .subscription_view import SubscriptionView
from .subscriptions import Subscriptions
from .sync_problem import SyncProblem
from .sync_state import SyncState
from .unknown_event import UnknownEvent
from .unlinked_count import UnlinkedCount
from .urgency import Urgency
from .user_target import UserTarget
from .user_target_input import UserTargetInput
from .wait_step import WaitStep

__all__ = (
    "Accepted",
    "AccountChangedEvent",
    "AccountLink",
    "AccountLinkedEvent",
    "AccountLinkPage",
    "AccountUnlinkedEvent",
    "Action",
    "ActionInput",
    "ActionInvoked",
    "ActionInvokedEvent",
    "AllowUsers",
    "AttemptView",
    "BackendView",
    "Catalogue",
    "ChangedChannel",
    "ChangedInstallation",
    "Channel",
    "ChannelChangedEvent",
    "ChannelDirectoryEntry",
    "ChannelEvent",
    "ChannelLinkedEvent",
    "ChannelPage",
    "ChannelRemovedEvent",
    "ChannelStatus",
    "ChannelTarget",
    "Choice",
    "CodeView",
    "CommandInvoked",
    "CommandInvokedEvent",
    "CommandPlace",
    "CommandSet",
    "Content",
    "ContentInput",
    "Conversation",
    "ConversationInput",
    "ConversationKind",
    "CopyState",
    "CopyValueStep",
    "CopyView",
    "CopyWithAttempts",
    "DeadLetter",
    "DeadLetterPage",
    "Declaration",
    "DeclaredCommand",
    "DeclaredCommandInput",
    "DefaultTarget",
    "Deleted",
    "DirectoryEntryPage",
    "Entry",
    "EntryKind",
    "EntryPage",
    "EventKind",
    "EventPage",
    "EventReply",
    "Fact",
    "FactInput",
    "FailureView",
    "Fallback",
    "FallbackInput",
    "Field",
    "FieldKindSelect",
    "FieldsStep",
    "Image",
    "ImageInput",
    "Installation",
    "InstallationActivatedEvent",
    "InstallationEvent",
    "InstallationHealth",
    "InstallationIdentity",
    "InstallationNews",
    "InstallationPage",
    "InstallationRemovedEvent",
    "InstallationState",
    "InstallationSuspendedEvent",
    "Keys",
    "KeyView",
    "LastFailure",
    "LengthUnit",
    "Limits",
    "Link",
    "LinkedAccount",
    "LinkEvent",
    "LogLine",
    "MadeKey",
    "MessageDeliveredEvent",
    "MessageEvent",
    "MessageFailedEvent",
    "MessageView",
    "NamedRate",
    "NewChannel",
    "NewCode",
    "NewInstallation",
    "NewKeyRequest",
    "Note",
    "NoteCode",
    "OnMissingRoot",
    "OnRemoved",
    "OnUnknown",
    "OpenLinkStep",
    "OrganizationView",
    "Parts",
    "PersonDirectoryEntry",
    "Posting",
    "Prefer",
    "Preview",
    "PreviewRequest",
    "Previews",
    "Probed",
    "Problem",
    "ProblemDetails",
    "ProblemType",
    "Purpose",
    "PutMessage",
    "PutMessageInput",
    "PutOrganization",
    "PutSubscription",
    "RatePer",
    "Replay",
    "ReplayRequest",
    "ReplyPosted",
    "ReplyPostedEvent",
    "ReplyTo",
    "Resolved",
    "RunCommandStep",
    "Scope",
    "SelectOption",
    "SendTextStep",
    "State",
    "StepValue",
    "Style",
    "Submission",
    "SubmissionFields",
    "Subscriptions",
    "SubscriptionView",
    "SyncProblem",
    "SyncState",
    "UnknownEvent",
    "UnlinkedCount",
    "Urgency",
    "UserTarget",
    "UserTargetInput",
    "WaitStep",
)
