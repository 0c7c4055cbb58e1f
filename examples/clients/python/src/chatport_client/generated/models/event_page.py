from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.account_changed_event import AccountChangedEvent
    from ..models.account_linked_event import AccountLinkedEvent
    from ..models.account_unlinked_event import AccountUnlinkedEvent
    from ..models.action_invoked_event import ActionInvokedEvent
    from ..models.channel_changed_event import ChannelChangedEvent
    from ..models.channel_linked_event import ChannelLinkedEvent
    from ..models.channel_removed_event import ChannelRemovedEvent
    from ..models.command_invoked_event import CommandInvokedEvent
    from ..models.installation_activated_event import InstallationActivatedEvent
    from ..models.installation_removed_event import InstallationRemovedEvent
    from ..models.installation_suspended_event import InstallationSuspendedEvent
    from ..models.message_delivered_event import MessageDeliveredEvent
    from ..models.message_failed_event import MessageFailedEvent
    from ..models.reply_posted_event import ReplyPostedEvent
    from ..models.unknown_event import UnknownEvent


T = TypeVar("T", bound="EventPage")


@_attrs_define
class EventPage:
    """Some events, in order.

    Attributes:
        items (list[AccountChangedEvent | AccountLinkedEvent | AccountUnlinkedEvent | ActionInvokedEvent |
            ChannelChangedEvent | ChannelLinkedEvent | ChannelRemovedEvent | CommandInvokedEvent |
            InstallationActivatedEvent | InstallationRemovedEvent | InstallationSuspendedEvent | MessageDeliveredEvent |
            MessageFailedEvent | ReplyPostedEvent | UnknownEvent]): The events, as they are sent to subscriptions.
        next_ (int): The cursor after the last of them: pass it as `after`.
    """

    items: list[
        AccountChangedEvent
        | AccountLinkedEvent
        | AccountUnlinkedEvent
        | ActionInvokedEvent
        | ChannelChangedEvent
        | ChannelLinkedEvent
        | ChannelRemovedEvent
        | CommandInvokedEvent
        | InstallationActivatedEvent
        | InstallationRemovedEvent
        | InstallationSuspendedEvent
        | MessageDeliveredEvent
        | MessageFailedEvent
        | ReplyPostedEvent
        | UnknownEvent
    ]
    next_: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.account_changed_event import AccountChangedEvent  # noqa: PLC0415
        from ..models.account_linked_event import AccountLinkedEvent  # noqa: PLC0415
        from ..models.account_unlinked_event import AccountUnlinkedEvent  # noqa: PLC0415
        from ..models.action_invoked_event import ActionInvokedEvent  # noqa: PLC0415
        from ..models.channel_changed_event import ChannelChangedEvent  # noqa: PLC0415
        from ..models.channel_linked_event import ChannelLinkedEvent  # noqa: PLC0415
        from ..models.channel_removed_event import ChannelRemovedEvent  # noqa: PLC0415
        from ..models.command_invoked_event import CommandInvokedEvent  # noqa: PLC0415
        from ..models.installation_activated_event import InstallationActivatedEvent  # noqa: PLC0415
        from ..models.installation_removed_event import InstallationRemovedEvent  # noqa: PLC0415
        from ..models.installation_suspended_event import InstallationSuspendedEvent  # noqa: PLC0415
        from ..models.message_delivered_event import MessageDeliveredEvent  # noqa: PLC0415
        from ..models.message_failed_event import MessageFailedEvent  # noqa: PLC0415
        from ..models.reply_posted_event import ReplyPostedEvent  # noqa: PLC0415

        items = []
        for items_item_data in self.items:
            items_item: dict[str, Any]
            if isinstance(items_item_data, AccountChangedEvent):
                items_item = items_item_data.to_dict()
            elif isinstance(items_item_data, AccountLinkedEvent):
                items_item = items_item_data.to_dict()
            elif isinstance(items_item_data, AccountUnlinkedEvent):
                items_item = items_item_data.to_dict()
            elif isinstance(items_item_data, ActionInvokedEvent):
                items_item = items_item_data.to_dict()
            elif isinstance(items_item_data, ChannelChangedEvent):
                items_item = items_item_data.to_dict()
            elif isinstance(items_item_data, ChannelLinkedEvent):
                items_item = items_item_data.to_dict()
            elif isinstance(items_item_data, ChannelRemovedEvent):
                items_item = items_item_data.to_dict()
            elif isinstance(items_item_data, CommandInvokedEvent):
                items_item = items_item_data.to_dict()
            elif isinstance(items_item_data, InstallationActivatedEvent):
                items_item = items_item_data.to_dict()
            elif isinstance(items_item_data, InstallationRemovedEvent):
                items_item = items_item_data.to_dict()
            elif isinstance(items_item_data, InstallationSuspendedEvent):
                items_item = items_item_data.to_dict()
            elif isinstance(items_item_data, MessageDeliveredEvent):
                items_item = items_item_data.to_dict()
            elif isinstance(items_item_data, MessageFailedEvent):
                items_item = items_item_data.to_dict()
            elif isinstance(items_item_data, ReplyPostedEvent):
                items_item = items_item_data.to_dict()
            else:
                items_item = items_item_data.to_dict()

            items.append(items_item)

        next_ = self.next_

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "items": items,
                "next": next_,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.account_changed_event import AccountChangedEvent  # noqa: PLC0415
        from ..models.account_linked_event import AccountLinkedEvent  # noqa: PLC0415
        from ..models.account_unlinked_event import AccountUnlinkedEvent  # noqa: PLC0415
        from ..models.action_invoked_event import ActionInvokedEvent  # noqa: PLC0415
        from ..models.channel_changed_event import ChannelChangedEvent  # noqa: PLC0415
        from ..models.channel_linked_event import ChannelLinkedEvent  # noqa: PLC0415
        from ..models.channel_removed_event import ChannelRemovedEvent  # noqa: PLC0415
        from ..models.command_invoked_event import CommandInvokedEvent  # noqa: PLC0415
        from ..models.installation_activated_event import InstallationActivatedEvent  # noqa: PLC0415
        from ..models.installation_removed_event import InstallationRemovedEvent  # noqa: PLC0415
        from ..models.installation_suspended_event import InstallationSuspendedEvent  # noqa: PLC0415
        from ..models.message_delivered_event import MessageDeliveredEvent  # noqa: PLC0415
        from ..models.message_failed_event import MessageFailedEvent  # noqa: PLC0415
        from ..models.reply_posted_event import ReplyPostedEvent  # noqa: PLC0415
        from ..models.unknown_event import UnknownEvent  # noqa: PLC0415

        d = dict(src_dict)
        items = []
        _items = d.pop("items")
        for items_item_data in _items:

            def _parse_items_item(
                data: object,
            ) -> (
                AccountChangedEvent
                | AccountLinkedEvent
                | AccountUnlinkedEvent
                | ActionInvokedEvent
                | ChannelChangedEvent
                | ChannelLinkedEvent
                | ChannelRemovedEvent
                | CommandInvokedEvent
                | InstallationActivatedEvent
                | InstallationRemovedEvent
                | InstallationSuspendedEvent
                | MessageDeliveredEvent
                | MessageFailedEvent
                | ReplyPostedEvent
                | UnknownEvent
            ):
                try:
                    if not isinstance(data, dict):
                        raise TypeError()
                    componentsschemas_any_event_type_0 = AccountChangedEvent.from_dict(data)

                    return componentsschemas_any_event_type_0
                except (TypeError, ValueError, AttributeError, KeyError):
                    pass
                try:
                    if not isinstance(data, dict):
                        raise TypeError()
                    componentsschemas_any_event_type_1 = AccountLinkedEvent.from_dict(data)

                    return componentsschemas_any_event_type_1
                except (TypeError, ValueError, AttributeError, KeyError):
                    pass
                try:
                    if not isinstance(data, dict):
                        raise TypeError()
                    componentsschemas_any_event_type_2 = AccountUnlinkedEvent.from_dict(data)

                    return componentsschemas_any_event_type_2
                except (TypeError, ValueError, AttributeError, KeyError):
                    pass
                try:
                    if not isinstance(data, dict):
                        raise TypeError()
                    componentsschemas_any_event_type_3 = ActionInvokedEvent.from_dict(data)

                    return componentsschemas_any_event_type_3
                except (TypeError, ValueError, AttributeError, KeyError):
                    pass
                try:
                    if not isinstance(data, dict):
                        raise TypeError()
                    componentsschemas_any_event_type_4 = ChannelChangedEvent.from_dict(data)

                    return componentsschemas_any_event_type_4
                except (TypeError, ValueError, AttributeError, KeyError):
                    pass
                try:
                    if not isinstance(data, dict):
                        raise TypeError()
                    componentsschemas_any_event_type_5 = ChannelLinkedEvent.from_dict(data)

                    return componentsschemas_any_event_type_5
                except (TypeError, ValueError, AttributeError, KeyError):
                    pass
                try:
                    if not isinstance(data, dict):
                        raise TypeError()
                    componentsschemas_any_event_type_6 = ChannelRemovedEvent.from_dict(data)

                    return componentsschemas_any_event_type_6
                except (TypeError, ValueError, AttributeError, KeyError):
                    pass
                try:
                    if not isinstance(data, dict):
                        raise TypeError()
                    componentsschemas_any_event_type_7 = CommandInvokedEvent.from_dict(data)

                    return componentsschemas_any_event_type_7
                except (TypeError, ValueError, AttributeError, KeyError):
                    pass
                try:
                    if not isinstance(data, dict):
                        raise TypeError()
                    componentsschemas_any_event_type_8 = InstallationActivatedEvent.from_dict(data)

                    return componentsschemas_any_event_type_8
                except (TypeError, ValueError, AttributeError, KeyError):
                    pass
                try:
                    if not isinstance(data, dict):
                        raise TypeError()
                    componentsschemas_any_event_type_9 = InstallationRemovedEvent.from_dict(data)

                    return componentsschemas_any_event_type_9
                except (TypeError, ValueError, AttributeError, KeyError):
                    pass
                try:
                    if not isinstance(data, dict):
                        raise TypeError()
                    componentsschemas_any_event_type_10 = InstallationSuspendedEvent.from_dict(data)

                    return componentsschemas_any_event_type_10
                except (TypeError, ValueError, AttributeError, KeyError):
                    pass
                try:
                    if not isinstance(data, dict):
                        raise TypeError()
                    componentsschemas_any_event_type_11 = MessageDeliveredEvent.from_dict(data)

                    return componentsschemas_any_event_type_11
                except (TypeError, ValueError, AttributeError, KeyError):
                    pass
                try:
                    if not isinstance(data, dict):
                        raise TypeError()
                    componentsschemas_any_event_type_12 = MessageFailedEvent.from_dict(data)

                    return componentsschemas_any_event_type_12
                except (TypeError, ValueError, AttributeError, KeyError):
                    pass
                try:
                    if not isinstance(data, dict):
                        raise TypeError()
                    componentsschemas_any_event_type_13 = ReplyPostedEvent.from_dict(data)

                    return componentsschemas_any_event_type_13
                except (TypeError, ValueError, AttributeError, KeyError):
                    pass
                if not isinstance(data, dict):
                    raise TypeError()
                componentsschemas_any_event_type_14 = UnknownEvent.from_dict(data)

                return componentsschemas_any_event_type_14

            items_item = _parse_items_item(items_item_data)

            items.append(items_item)

        next_ = d.pop("next")

        event_page = cls(
            items=items,
            next_=next_,
        )

        event_page.additional_properties = d
        return event_page

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
