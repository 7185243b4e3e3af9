//! Schemas of the chain's own types, which know nothing of OpenAPI.

use crate::{
    crypto::{Address, Hash, PublicKey, Signature},
    types::{Amount, Body, ChainId, Difficulty, Height, Nonce, Payload, Period, Slot, Timestamp, Transaction, Work},
};
use std::borrow::Cow;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Object, Ref, RefOr, SchemaFormat,
        schema::{AdditionalProperties, ObjectBuilder, OneOfBuilder, Schema, Type},
    },
};

macro_rules! schema {
    ($type:ident, $schema:expr) => {
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                $schema.into()
            }
        }
        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($type))
            }
        }
    };
}

schema!(Hash, text("SHA-256 digest", "^[0-9a-f]{64}$"));
schema!(Address, text("Owner of an account", "^[0-9a-f]{40}$"));
schema!(PublicKey, text("Ed25519 public key", "^[0-9a-f]{64}$"));
schema!(Signature, text("Ed25519 signature", "^[0-9a-f]{128}$"));
schema!(ChainId, text("Name of a chain", "^[a-z0-9-]{1,32}$"));
schema!(Amount, integer("Tokens in their smallest unit"));
schema!(Nonce, integer("Transactions of the sender before this one"));
schema!(Height, integer("Distance from the genesis block"));
schema!(Slot, integer("The wall clock divided by the block interval"));
schema!(Period, integer("A slot divided by the slots of a period"));
schema!(Timestamp, integer("Milliseconds since 1970-01-01T00:00:00Z"));
schema!(Difficulty, integer("Expected number of hashes for a block"));
schema!(Work, integer("Sum of the difficulties of a chain"));
schema!(Transaction, object("A signed transaction", &[("body", body_schema()), ("signature", Signature::schema())]));
schema!(Body, body_schema());
schema!(Payload, payload());

fn text(about: &str, pattern: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(Some(about)).pattern(Some(pattern))
}

fn integer(about: &str) -> ObjectBuilder {
    let format = SchemaFormat::Custom("uint64".into());
    ObjectBuilder::new().schema_type(Type::Integer).description(Some(about)).format(Some(format)).minimum(Some(0))
}

/// An object of exactly these properties.
fn object(about: &str, properties: &[(&str, RefOr<Schema>)]) -> Object {
    let mut object = ObjectBuilder::new()
        .description(Some(about))
        .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)));
    for (name, schema) in properties {
        object = object.property(*name, schema.clone()).required(*name);
    }
    object.build()
}

fn body_schema() -> RefOr<Schema> {
    let properties = [
        ("chain_id", ChainId::schema()),
        ("sender", PublicKey::schema()),
        ("nonce", Nonce::schema()),
        ("fee", Amount::schema()),
        ("valid_until", Height::schema()),
        ("payload", payload()),
    ];
    object("What the sender signs", &properties).into()
}

fn payload() -> RefOr<Schema> {
    let one = |name: &str, what: Object| object("What a transaction does", &[(name, what.into())]);
    let amount = || [("amount", Amount::schema())];
    let transfer = object("Moves tokens", &[("to", Address::schema()), ("amount", Amount::schema())]);
    let any = || ObjectBuilder::new().build().into();
    let register = ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("Makes the sender an operator"))
        .enum_values(Some(["register"]));
    OneOfBuilder::new()
        .description(Some("What a transaction does"))
        .item(one("transfer", transfer))
        .item(one("stake", object("Bonds tokens", &amount())))
        .item(one("unstake", object("Takes bonded tokens back", &amount())))
        .item(one("evidence", object("Shows that a validator has contradicted itself", &[("proof", any())])))
        .item(register)
        .item(one("task", object("Shows what an operator has done", &[("proof", task_proof())])))
        .into()
}

fn task_proof() -> RefOr<Schema> {
    let tasks = "uptime, or an object validation {height, block}, storage {witness} or relay {megabytes, witness}";
    let task = ObjectBuilder::new().description(Some(tasks)).build();
    object("A task of a period", &[("period", Period::schema()), ("task", task.into())]).into()
}

/// The schema of `T`, by name.
pub(super) fn named<T: ToSchema>() -> RefOr<Schema> {
    Ref::from_schema_name(T::name()).into()
}
