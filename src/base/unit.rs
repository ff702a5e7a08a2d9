//! Units by name.

/// Name of a unit in labels and links: `vgg16/conv5_3/0063`.
pub fn unit_name(network: &str, layer: &str, unit: u32) -> String {
    format!("{network}/{layer}/{unit:04}")
}
