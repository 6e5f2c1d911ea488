/// What has a relative identifier.
package protocol Numbered {
    var rid: UInt32 { get }
}

extension Account: Numbered {}
extension Group: Numbered {}
extension Alias: Numbered {}

/// Objects in the order of their relative identifiers: found by a search in halves, paged by where
/// the last page ended.
package struct RIDTable<Element: Numbered> {
    package private(set) var elements: [Element] = []

    package var count: Int { elements.count }

    package subscript(rid: UInt32) -> Element? {
        let index = position(of: rid)
        guard index < elements.count, elements[index].rid == rid else { return nil }
        return elements[index]
    }

    /// The elements above `rid`.
    package func after(_ rid: UInt32) -> ArraySlice<Element> {
        rid == .max ? [] : elements[position(of: rid + 1)...]
    }

    mutating func put(_ element: Element) {
        let index = position(of: element.rid)
        if index < elements.count, elements[index].rid == element.rid {
            elements[index] = element
        } else {
            elements.insert(element, at: index)
        }
    }

    mutating func remove(_ rid: UInt32) {
        let index = position(of: rid)
        if index < elements.count, elements[index].rid == rid { elements.remove(at: index) }
    }

    mutating func reserve(_ count: Int) { elements.reserveCapacity(count) }

    /// The index of the first element whose number is not below `rid`.
    private func position(of rid: UInt32) -> Int {
        // New ones go to the end, as numbers only go up.
        if let last = elements.last, last.rid < rid { return elements.count }
        var low = 0
        var high = elements.count
        while low < high {
            let middle = (low + high) / 2
            if elements[middle].rid < rid { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
