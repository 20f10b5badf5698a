//! Objects for documents of a known shape: a copy of the last one, with new values where the holes are.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use super::values::{Failure, Values};
use crate::json::lexer::Lexer;
use crate::json::shape::{Filling, Shape};

/// How to build the value of every document of one shape. What never changes is shared where it is immutable, and
/// made anew where it is not: no event can show another's changes.
pub struct Template {
    root: Node,
}

enum Node {
    /// A value that is the same in every document, and immutable.
    Fixed(Py<PyAny>),
    /// What stands in the hole of this number.
    Hole(usize),
    /// A copy of the dict, with new values for these keys.
    Dict(Py<PyDict>, Vec<(Py<PyString>, Node)>),
    List(Vec<Node>),
}

impl Template {
    /// Reads the shape's sample. Fails on what `load` would leave to `json.loads`, and on duplicate keys.
    pub fn new(py: Python<'_>, shape: &Shape, values: &mut Values) -> Result<Self, Failure> {
        let mut scalars = shape.scalars();
        let root = node(py, &mut Lexer::new(shape.sample()), &mut scalars, values)?;
        Ok(Self { root })
    }

    /// The value of the matching document `text`.
    pub fn build<'py>(
        &self,
        py: Python<'py>,
        text: &[u8],
        fillings: &[Filling],
        values: &mut Values,
    ) -> Result<Bound<'py, PyAny>, Failure> {
        self.root.build(py, text, fillings, values)
    }
}

impl Node {
    fn build<'py>(
        &self,
        py: Python<'py>,
        text: &[u8],
        fillings: &[Filling],
        values: &mut Values,
    ) -> Result<Bound<'py, PyAny>, Failure> {
        Ok(match self {
            Self::Fixed(value) => value.bind(py).clone(),
            Self::Hole(hole) => values.scalar(py, fillings[*hole].token(text))?,
            Self::Dict(dict, fills) => {
                let dict = dict.bind(py).copy()?;
                for (key, node) in fills {
                    dict.set_item(key.bind(py), node.build(py, text, fillings, values)?)?;
                }
                dict.into_any()
            }
            Self::List(nodes) => {
                let list = PyList::empty(py);
                for node in nodes {
                    list.append(node.build(py, text, fillings, values)?)?;
                }
                list.into_any()
            }
        })
    }
}

/// The node of the next value of the sample; `scalars` says which strings and numbers are holes.
fn node(
    py: Python<'_>,
    lexer: &mut Lexer<'_>,
    scalars: &mut impl Iterator<Item = Option<usize>>,
    values: &mut Values,
) -> Result<Node, Failure> {
    match lexer.peek() {
        b'{' => {
            lexer.bump();
            let dict = PyDict::new(py);
            let mut fills = Vec::new();
            while lexer.peek() != b'}' {
                let token = lexer.key()?;
                let key = values.key(py, token)?;
                if dict.contains(&key)? {
                    return Err(Failure::Surprise);
                }
                match node(py, lexer, scalars, values)? {
                    Node::Fixed(value) => dict.set_item(key, value)?,
                    fill => {
                        dict.set_item(&key, py.None())?;
                        fills.push((key.unbind(), fill));
                    }
                }
                if lexer.peek() == b',' {
                    lexer.bump();
                }
            }
            lexer.bump();
            Ok(Node::Dict(dict.unbind(), fills))
        }
        b'[' => {
            lexer.bump();
            let mut nodes = Vec::new();
            while lexer.peek() != b']' {
                nodes.push(node(py, lexer, scalars, values)?);
                if lexer.peek() == b',' {
                    lexer.bump();
                }
            }
            lexer.bump();
            Ok(Node::List(nodes))
        }
        first => {
            let value = values.value(py, lexer, 0)?;
            let is_scalar = !matches!(first, b'n' | b't' | b'f');
            match is_scalar.then(|| scalars.next().flatten()).flatten() {
                Some(hole) => Ok(Node::Hole(hole)),
                None => Ok(Node::Fixed(value.unbind())),
            }
        }
    }
}
