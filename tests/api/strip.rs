//! What of a file its users see: public items without bodies, words and attributes.

use syn::{Attribute, Block, Fields, ImplItem, Item, ItemImpl, ItemMacro, TraitItem, Visibility, parse_quote};

/// The public items of a module, and the names of its modules: what is public in a private one
/// may be handed on from elsewhere.
pub(crate) fn public(items: Vec<Item>) -> (Vec<Item>, Vec<String>) {
    let (mut public, mut modules) = (Vec::new(), Vec::new());
    for item in items {
        match item {
            Item::Mod(module) if module.content.is_none() && !is_for_tests(&module.attrs) => {
                modules.push(module.ident.to_string());
            }
            Item::Mod(mut module) if is_public(&module.vis) => {
                module.attrs.clear();
                let (brace, items) = module.content.take().expect("it has content");
                module.content = Some((brace, self::public(items).0));
                public.push(Item::Mod(module));
            }
            item => public.extend(shown(item)),
        }
    }
    (public, modules)
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    let is_test = |attribute: &Attribute| attribute.parse_args::<syn::Ident>().is_ok_and(|word| word == "test");
    attributes.iter().any(|attribute| attribute.path().is_ident("cfg") && is_test(attribute))
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn nothing() -> Block {
    parse_quote!({})
}

/// Attributes that are part of the promise.
fn promises(attributes: &mut Vec<Attribute>) {
    const PROMISES: [&str; 3] = ["derive", "must_use", "non_exhaustive"];
    attributes.retain(|attribute| PROMISES.iter().any(|promise| attribute.path().is_ident(promise)));
}

fn shown(item: Item) -> Option<Item> {
    match item {
        Item::Const(mut item) if is_public(&item.vis) => {
            item.attrs.clear();
            Some(Item::Const(item))
        }
        Item::Type(mut item) if is_public(&item.vis) => {
            item.attrs.clear();
            Some(Item::Type(item))
        }
        Item::Use(mut item) if is_public(&item.vis) => {
            item.attrs.clear();
            Some(Item::Use(item))
        }
        Item::Fn(mut item) if is_public(&item.vis) => {
            promises(&mut item.attrs);
            *item.block = nothing();
            Some(Item::Fn(item))
        }
        Item::Struct(mut item) if is_public(&item.vis) => {
            promises(&mut item.attrs);
            fields(&mut item.fields);
            Some(Item::Struct(item))
        }
        Item::Enum(mut item) if is_public(&item.vis) => {
            promises(&mut item.attrs);
            for variant in &mut item.variants {
                promises(&mut variant.attrs);
                variant.fields.iter_mut().for_each(|field| field.attrs.clear());
            }
            Some(Item::Enum(item))
        }
        Item::Trait(mut item) if is_public(&item.vis) => {
            promises(&mut item.attrs);
            for inner in &mut item.items {
                if let TraitItem::Fn(function) = inner {
                    promises(&mut function.attrs);
                    function.default = function.default.take().map(|_| nothing());
                }
            }
            Some(Item::Trait(item))
        }
        Item::Impl(item) => implemented(item),
        Item::Macro(item) if is_exported(&item) => {
            let name = item.ident?;
            Some(parse_quote!(macro_rules! #name { () => {}; }))
        }
        _ => None,
    }
}

fn is_exported(item: &ItemMacro) -> bool {
    let has = |name: &str| item.attrs.iter().any(|attribute| attribute.path().is_ident(name));
    has("macro_export") && !item.attrs.iter().any(is_hidden)
}

fn is_hidden(attribute: &Attribute) -> bool {
    attribute.path().is_ident("doc") && attribute.parse_args::<syn::Ident>().is_ok_and(|word| word == "hidden")
}

/// Private fields are left out: that there are some shows in what can't be constructed.
fn fields(fields: &mut Fields) {
    let keep = |list: &mut syn::punctuated::Punctuated<syn::Field, syn::Token![,]>| {
        let kept = std::mem::take(list).into_iter().filter(|field| is_public(&field.vis));
        *list = kept
            .map(|mut field| {
                field.attrs.clear();
                field
            })
            .collect();
    };
    match fields {
        Fields::Named(named) => keep(&mut named.named),
        Fields::Unnamed(unnamed) => keep(&mut unnamed.unnamed),
        Fields::Unit => {}
    }
}

/// Of a trait's implementation, that there is one; of a type's own, the public items.
fn implemented(mut item: ItemImpl) -> Option<Item> {
    if item.attrs.iter().any(|attribute| attribute.path().is_ident("cfg")) {
        return None;
    }
    item.attrs.clear();
    if item.trait_.is_some() {
        item.items.clear();
        return Some(Item::Impl(item));
    }
    item.items.retain_mut(|inner| match inner {
        ImplItem::Fn(function) => {
            promises(&mut function.attrs);
            function.block = nothing();
            is_public(&function.vis)
        }
        ImplItem::Const(constant) => {
            constant.attrs.clear();
            is_public(&constant.vis)
        }
        _ => false,
    });
    (!item.items.is_empty()).then_some(Item::Impl(item))
}
