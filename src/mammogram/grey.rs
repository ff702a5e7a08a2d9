//! Eight-bit display images and boolean masks.

/// A grey display image, row-major, bright where tissue is dense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grey {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// `width * height` values, row by row.
    pub pixels: Vec<u8>,
}

impl Grey {
    /// An image of one value.
    pub fn filled(width: u32, height: u32, value: u8) -> Self {
        Self { width, height, pixels: vec![value; width as usize * height as usize] }
    }

    /// The value at column `x`, row `y`.
    ///
    /// # Panics
    /// Outside the image.
    pub fn at(&self, x: u32, y: u32) -> u8 {
        self.pixels[y as usize * self.width as usize + x as usize]
    }
}

/// A set of pixels, row-major.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// `width * height` memberships, row by row.
    pub pixels: Vec<bool>,
}

impl Mask {
    /// The empty set.
    pub fn empty(width: u32, height: u32) -> Self {
        Self { width, height, pixels: vec![false; width as usize * height as usize] }
    }

    /// How many pixels belong to the set.
    pub fn area(&self) -> usize {
        self.pixels.iter().filter(|&&p| p).count()
    }

    /// Whether column `x`, row `y` belongs to the set.
    ///
    /// # Panics
    /// Outside the mask.
    pub fn at(&self, x: u32, y: u32) -> bool {
        self.pixels[y as usize * self.width as usize + x as usize]
    }
}
