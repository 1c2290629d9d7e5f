"""Which columns look like personal data, by their name or by what stands in them; and how such values are shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

OFTEN = 0.8
"""The share of a sample's values that must look like it."""
_WORDS = {
    "email": "e?mails?|mailaddress|emailaddress",
    "phone": "phones?|phonenumber|telephones?|mobiles?|mobilenumber|cell|cellphone|fax|msisdn",
    "name": "firstname|lastname|surname|fullname|middlename|maidenname|givenname|familyname|forename|displayname"
    "|customername|contactname|username|holdername",
    "address": "address|street|streetaddress|addressline1?|postalcode|postcode|zip|zipcode|homeaddress",
    "birth": "birthday|birthdate|dateofbirth|dob|born",
    "id": "ssn|socialsecuritynumber|nationalid|passport|passportnumber|taxid|driverslicense|nin",
    "card": "card|cardnumber|creditcard|creditcardnumber|pan|ccnumber",
    "account": "iban|accountnumber|bankaccount",
    "ip": "ip|ipaddress|ipaddr",
}
_PEOPLE = re.compile(r"(customer|user|person|people|employee|contact|patient|member|student|guest|buyer|client)s?$")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(r"(?=(?:[^0-9]*[0-9]){8,15}[^0-9]*$)(?:\+|00|\()[0-9 ()./-]+|0[0-9]+[ /-][0-9 /-]+")
_CARD = re.compile(r"[0-9](?:[ -]?[0-9]){12,18}")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}")
_LETTER, _DIGIT = re.compile(r"[^\W\d_]"), re.compile(r"\d")
CODE = {"email": _EMAIL, "phone": _PHONE, "account": _IBAN}


def kind_of(name: str, table: str, values: Sequence[str]) -> str:
    """email | phone | name | address | birth | id | card | account | ip; "" where nothing points to a person.

    `values`: a sample of the column's texts.
    """
    return by_values(values) or by_name(name, table)


def by_name(name: str, table: str) -> str:
    """What the column's name alone says."""
    bare = re.sub(r"[^a-z0-9]", "", name.lower())
    for kind, words in _WORDS.items():
        if re.fullmatch(words, bare):
            return kind
    people = _PEOPLE.search(re.sub(r"[^a-z]", "", table.rpartition(".")[2].lower()))
    return "name" if bare == "name" and people else ""


def by_values(values: Sequence[str]) -> str:
    """What most of the values look like."""
    if not values:
        return ""
    for kind, pattern in CODE.items():
        if _mostly(pattern.fullmatch(value) is not None for value in values):
            return kind
    cards = [value for value in values if _CARD.fullmatch(value) and _luhn(value)]
    return "card" if len(cards) >= OFTEN * len(values) and len(set(cards)) > 1 else ""


def _mostly(found: Iterable[bool]) -> bool:
    tested = list(found)
    return sum(tested) >= OFTEN * len(tested)


def _luhn(value: str) -> bool:
    digits = [int(character) for character in reversed(value) if character.isdigit()]
    doubled = [digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def shape(text: str) -> str:
    """The text with `A`, `a` and `9` for its letters and digits: `Aaaa99@aaa.aa`."""
    return _DIGIT.sub("9", _LETTER.sub(lambda found: "a" if found[0].islower() else "A", text))
